#pragma once
// The way back of a walk: from the minimisers of rows at the input, forward through the lines that the rows chose. The
// walk made a linear function of the network for each row; these are its values at each neuron, and by them the bound
// varies with the lines (the gradient of a concretized bound without a tape, docs/architecture.md).

#include "domains/crown/crown.hpp"

namespace boundflow::crown {

// Emits the sweep behind the walk that left `walk.reached`, and keeps for the query rows and values at the neurons;
// with `to_output`, for rows that start there, the values of the outputs too.
void sweep(State& walk, const std::vector<NeuronLayer>& layers, bool to_output);

}  // namespace boundflow::crown
