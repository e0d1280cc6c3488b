// The /metrics text: all shards' counters and gauges as Prometheus families, through prometheus-cpp's
// serializer. Names are listed in docs/operations.md.
#pragma once

#include <string>

namespace hubbub {

class Node;

// Prometheus text format 0.0.4. Any thread.
[[nodiscard]] std::string render_metrics(const Node& node);

}  // namespace hubbub
