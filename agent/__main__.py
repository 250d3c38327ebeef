"""`python -m agent` is `sitewatch`."""

from agent.cli import main

raise SystemExit(main())
