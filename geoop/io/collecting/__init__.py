"""A user's own runs, or a published set, as a data set: found, guessed, shown, asked for, written."""
