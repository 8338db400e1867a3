"""`python -m audiences.sandbox` is `audiences sandbox`."""

import sys

from audiences.cli import main

main(["sandbox", *sys.argv[1:]])
