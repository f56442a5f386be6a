# SPDX-License-Identifier: Apache-2.0
"""`python3 -m bitline.nas`."""

import sys

from bitline.nas.cli import main

if __name__ == "__main__":
    sys.exit(main())
