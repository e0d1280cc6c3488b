// The /metrics text: a shard's counters and gauges as Prometheus families, through prometheus-cpp's
// serializer. Names are listed in docs/operations.md.
#pragma once

#include <string>

namespace hubbub {

class Shard;

// Prometheus text format 0.0.4. Shard's thread.
[[nodiscard]] std::string render_metrics(const Node& node);

}  // namespace hubbub
