"""`python -m mcp_server` is `gearshed`."""

from mcp_server.cli import main

main()
