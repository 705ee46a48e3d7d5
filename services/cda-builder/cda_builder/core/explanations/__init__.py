"""The catalogue of explanations: what findings mean, in French and in English, as data."""
