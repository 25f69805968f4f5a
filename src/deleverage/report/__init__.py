"""The written report: sentences that rules allow, and the same rules for other people's text."""
