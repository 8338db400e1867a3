"""`python -m audiences.cli` is `audiences`."""

from audiences.cli import main

main()
