// What a run may be asked besides a text or token ids.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace rkllm {

// Vectors in place of tokens, one after the other.
struct Embeddings {
  std::vector<float> values;
  std::size_t tokens = 0;
};

// Images, videos or sounds as their encoder gives them: `count` of them, one after the other.
struct Media {
  std::vector<float> embeddings;
  std::size_t count = 1;
  std::size_t tokens_each = 0;  // of an image, of one frame of a video, of a sound
  std::size_t frames_each = 0;  // of a video
  std::size_t width = 0;
  std::size_t height = 0;
  std::optional<std::string> start;  // these three: the model's special tokens around and in place of it
  std::optional<std::string> end;
  std::optional<std::string> content;
};

// A prompt with a mark such as <image> for each of the media.
struct MultiModal {
  std::string prompt;
  std::optional<Media> image;
  std::optional<Media> video;  // from 1.3.0 on
  std::optional<Media> audio;  // from 1.3.1 on
};

}  // namespace rkllm
