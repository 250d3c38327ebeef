"""`sitewatch model bench`: latency and throughput of engines, side by side."""
