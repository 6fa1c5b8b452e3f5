//! Every fault at every effect of every flow. The effects are counted as the code runs, so that a
//! call added later is covered unasked.
