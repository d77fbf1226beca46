"""The twin: learns how a machine behaves while healthy and says what it should measure now."""
