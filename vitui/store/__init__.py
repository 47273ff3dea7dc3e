"""lab.db: the index of all runs. SQLite with one writer at a time; what it holds can be made anew from run directories.

Importing this package loads sqlite3 and nothing heavier. `runs` (rows, states, queue), `metrics` (curves and
evaluations, to read), `ingest` (journals into rows) and `rebuild` are its modules.
"""

from vitui.store import runs
from vitui.store.database import Store
from vitui.store.runs import ENDED, LIVE, RESUMABLE, STATES, WAITING, Brief, NewRun, Run

__all__ = ["ENDED", "LIVE", "RESUMABLE", "STATES", "WAITING", "Brief", "NewRun", "Run", "Store", "runs"]
