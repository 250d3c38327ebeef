"""Values that parse and print themselves: durations, sizes, secrets, source addresses."""
