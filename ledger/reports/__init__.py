"""Pages and tables made from answers, each in a file of its own."""
