"""A perceptron with one hidden layer: ReLU that dies, units that are all alike."""
