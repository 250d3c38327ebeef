"""`sitewatch batch`: many clips through one engine, several at a time, each with files of its own.

Lanes play clips one after the other, all of them into the same line; a writer for each lane keeps its clips' files,
and a record beside them says what came of each, so that the next run goes on where this one ended.
"""
