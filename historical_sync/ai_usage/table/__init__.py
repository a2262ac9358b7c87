"""The table of signatures, as data: accounts, addresses and branches, texts that tools leave, reviewers, automation."""
