"""The pure core: interaction events to alerts, by functions over plain values, standard library only."""
