"""One subject a file: pure functions over a `Root`, which is this machine or a recorded one."""
