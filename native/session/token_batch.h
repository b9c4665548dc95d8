// Tokens packed for one crossing to JavaScript.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

namespace rkllm {

// Token i is ids[i]; its text is bytes[ends[i - 1] .. ends[i]). Not synchronized: its owner (Run) locks.
struct TokenBatch {
  std::vector<char> bytes;  // UTF-8, as the vendor gave it
  std::vector<std::int32_t> ids;
  std::vector<std::uint32_t> ends;
  std::vector<std::uint8_t> rows;  // of the batch that the run is; empty when it has one row

  bool empty() const { return ids.empty(); }

  // False when the text would pass 4 GiB: a reader that far behind is not coming back.
  bool Append(std::int32_t id, std::string_view text) {
    if (text.size() > std::numeric_limits<std::uint32_t>::max() - bytes.size()) return false;
    bytes.insert(bytes.end(), text.begin(), text.end());
    ids.push_back(id);
    ends.push_back(static_cast<std::uint32_t>(bytes.size()));
    return true;
  }

  bool AppendRow(std::uint8_t row, std::int32_t id, std::string_view text) {
    rows.push_back(row);
    return Append(id, text);
  }
};

}  // namespace rkllm
