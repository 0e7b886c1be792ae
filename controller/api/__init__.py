"""The kinds we own as pydantic models, one kind a file, and the resources we name in requests."""
