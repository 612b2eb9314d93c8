#pragma once
/// @file
/// Visibility of the public names.

/// Marks what the shared library shows.
#define BOUNDFLOW_API __attribute__((visibility("default")))
