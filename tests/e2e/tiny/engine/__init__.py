"""Stands before the real trainer on PYTHONPATH where a test needs dozens of runs: same package, a smaller __main__."""

import sys
from pathlib import Path

# Everything but __main__ is the real package's.
for entry in sys.path:
    real = Path(entry or ".") / "engine"
    if (real / "journal.py").exists():
        __path__.append(str(real))
        break
else:
    import importlib.metadata
    import json

    url = json.loads(importlib.metadata.distribution("vitui").read_text("direct_url.json") or "{}").get("url", "")
    __path__.append(str(Path(url.removeprefix("file://")) / "engine"))
