"""What the operator wrote: a site file becomes frozen records, or every mistake at once.

Imports pydantic and PyYAML, `agent.errors`, and nothing else of ours; nobody else imports pydantic.
"""
