"""What the command line and Python ask, answered from the files or by the server that holds them: the same numbers either way."""
