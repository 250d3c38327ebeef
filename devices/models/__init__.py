"""Changing and examining models with the libraries that know how: graphs, quantisers, converters."""
