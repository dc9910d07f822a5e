"""What happened: interaction events, validated where they enter, and their places in a shop's log."""
