"""What the studies and the command `zoo draw` draw: functions that return matplotlib figures."""
