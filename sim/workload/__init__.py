"""Who asks for work and when: names, arrivals, outcome mixes."""
