"""``python -m geoop``: the same as the command ``geoop``."""

import sys

from .cli.app import main

sys.exit(main())
