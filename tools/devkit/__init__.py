"""What tools/up, down, test and bench share. Python's standard library only."""
