"""Work on the outside world: sending, sorting what came back, handing people's answers over."""
