"""`python -m agent` is `sitewatch`."""

from agent.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
