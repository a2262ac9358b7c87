"""`python -m historical_sync` is the command `historical-sync`, also where its folder is not on PATH."""

from historical_sync.cli import main

main(prog_name="historical-sync")
