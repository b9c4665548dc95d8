// Images, videos and sounds, in the structs of every generation. Included by adapters only.
#pragma once

#include "abi/g5.h"
#include "params.h"

namespace rkllm {

// The vendor's declarations lack a const; it only reads.
inline float* Values(const Media& media) { return const_cast<float*>(media.embeddings.data()); }

// Where the input has no texts of its own, those that were given at load apply, as they do before 1.3.0.
inline const char* Tag(const std::optional<std::string>& own, const std::optional<std::string>& at_load) {
  return own ? own->c_str() : at_load ? at_load->c_str() : "";
}

inline void PackMedia(abi::g1::MultiModalInput& to, const MultiModal& from, const LoadParams& /*load*/) {
  to.prompt = const_cast<char*>(from.prompt.c_str());
  if (!from.image) return;
  to.image_embed = Values(*from.image);
  to.n_image_tokens = from.image->tokens_each;
}

inline void PackMedia(abi::g2b::MultiModalInput& to, const MultiModal& from, const LoadParams& /*load*/) {
  to.prompt = const_cast<char*>(from.prompt.c_str());
  if (!from.image) return;
  to.image_embed = Values(*from.image);
  to.n_image_tokens = from.image->tokens_each;
  to.n_image = from.image->count;
  to.image_width = from.image->width;
  to.image_height = from.image->height;
}

// What 1.3.0 and 1.3.1 have in common.
template <typename MultiModalInput>
void PackImageAndVideo(MultiModalInput& to, const MultiModal& from, const LoadParams& load) {
  to.prompt = const_cast<char*>(from.prompt.c_str());
  if (from.image) {
    to.image.image_embed = Values(*from.image);
    to.image.n_image_tokens = from.image->tokens_each;
    to.image.n_image = from.image->count;
    to.image.image_start = Tag(from.image->start, load.image_start);
    to.image.image_end = Tag(from.image->end, load.image_end);
    to.image.image_content = Tag(from.image->content, load.image_content);
    to.image.image_width = from.image->width;
    to.image.image_height = from.image->height;
  }
  if (from.video) {
    to.video.video_embed = Values(*from.video);
    to.video.n_frame_tokens = from.video->tokens_each;
    to.video.n_frame_per_video = from.video->frames_each;
    to.video.n_video = from.video->count;
    to.video.video_start = Tag(from.video->start, {});
    to.video.video_end = Tag(from.video->end, {});
    to.video.video_content = Tag(from.video->content, {});
    to.video.frame_width = from.video->width;
    to.video.frame_height = from.video->height;
  }
}

inline void PackMedia(abi::g4::MultiModalInput& to, const MultiModal& from, const LoadParams& load) {
  PackImageAndVideo(to, from, load);
}

inline void PackMedia(abi::g5::MultiModalInput& to, const MultiModal& from, const LoadParams& load) {
  PackImageAndVideo(to, from, load);
  if (!from.audio) return;
  to.audio.audio_embed = Values(*from.audio);
  to.audio.n_audio_tokens = from.audio->tokens_each;
  to.audio.n_audio = from.audio->count;
  to.audio.audio_start = Tag(from.audio->start, {});
  to.audio.audio_end = Tag(from.audio->end, {});
  to.audio.audio_content = Tag(from.audio->content, {});
}

}  // namespace rkllm
