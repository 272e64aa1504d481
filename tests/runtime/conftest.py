"""Some tests need root, to see that the server never runs as root; a normal user has nothing to collect there."""

from __future__ import annotations

import os

collect_ignore = [] if os.geteuid() == 0 else ["test_embedded_postgres_as_root.py"]
