"""What others do over the same lines."""

SYSTEMS = {}
