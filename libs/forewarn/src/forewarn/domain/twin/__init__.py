"""The twin: learns a healthy machine's behaviour and predicts what it should measure now."""
