"""What is done to a model before it runs on a site: one folder a tool. Never needed by the daemon, but for bundles."""
