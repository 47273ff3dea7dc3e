"""The real worker with the tiny engine as its trainer: ``serve_tiny.py GRACE_S GPUS HOME --ready-fd N --lock-fd M``.

With GPUS > 0 the driver is a fake; devices, leases and processes are handled for real.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.supervisor.fake_nvml import FakeNvml
from tests.supervisor.processes import ENGINE
from vitui.supervisor import devices
from vitui.supervisor.attempts import Settings
from vitui.supervisor.worker import main

if __name__ == "__main__":
    grace, gpus, home = float(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    if gpus:
        devices._probe = devices.Probe(lambda: FakeNvml(gpus))
    sys.exit(main(sys.argv[3:], Settings(engine=ENGINE, grace_s=grace, leases=home / "shared")))
