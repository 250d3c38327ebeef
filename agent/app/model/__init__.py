"""`sitewatch model ...`: one folder a tool, each the thin door to what lies in `agent.models` and `devices`."""
