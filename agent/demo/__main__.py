"""`python -m agent.demo`, as `scripts/demo` calls it."""

from agent.demo.demo import main

if __name__ == "__main__":
    raise SystemExit(main())
