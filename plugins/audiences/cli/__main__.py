"""`python -m audiences.cli` is `audiences`."""

from audiences.cli.whole_process import command

command()
