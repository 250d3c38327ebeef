"""The service manager's protocol: readiness, watchdog, signals, exit codes. May import `agent.clock`."""
