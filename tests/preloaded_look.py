"""For tests/test_preloaded.py: a program that says which modules it finds loaded."""

import sys

sys.stdout.write("\n".join(sys.modules))
