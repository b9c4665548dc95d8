#include <sstream>

#include "arguments.h"
#include "checker.h"
#include "layout.h"
#include "memory.h"
#include "report.h"
#include "script.h"

namespace fake {
namespace {

std::size_t Occurrences(const std::string& text, const std::string& tag) {
  std::size_t count = 0;
  for (std::size_t at = text.find(tag); at != std::string::npos; at = text.find(tag, at + tag.size())) ++count;
  return count;
}

class MediaReader {
 public:
  MediaReader(const void* multimodal, const Script& script, InputArguments& arguments)
      : multimodal_(multimodal), script_(script), arguments_(arguments) {}

  bool ReadAll() {
    ReadImages();
    if (Has(Field::kVideo)) ReadVideos();
    if (Has(Field::kAudio)) ReadSounds();
    check_.Expect(!arguments_.media.empty() || !refused_.empty(), "holds neither image, video nor audio");
    if (!refused_.empty()) Log("E rkllm: " + refused_, script_.log);
    return check_.fine() && refused_.empty();
  }

 private:
  std::size_t Size(std::size_t offset) const { return ReadAt<std::size_t>(multimodal_, offset); }
  const void* Pointer(std::size_t offset) const { return ReadAt<const void*>(multimodal_, offset); }

  void ReadImages() {
    const std::size_t count = Has(Field::kImageCount) ? Size(Offset(Field::kImageCount)) : 1;
    if (Pointer(8) == nullptr) {
      check_.ExpectZero(multimodal_, 16, Has(Field::kVideo) ? 72 : Offset(Field::kMultimodalSize), "an absent image");
      return;
    }
    if (count == 0 || Size(16) == 0) {
      refused_ = "The n_image/n_image_token of multimodal_input is not set";
      return;
    }
    std::ostringstream extra;
    if (Has(Field::kImageWidth)) {
      const std::size_t at = Offset(Field::kImageWidth);
      extra << " size=" << Size(at) << 'x' << Size(at + 8);
    }
    if (Has(Field::kImageTags)) Tags(Offset(Field::kImageTags), extra);
    Add("image", "<image>", Pointer(8), count, Size(16), extra.str());
  }

  // {embed, n_frame_tokens, n_frame_per_video, n_video, start, end, content, frame_width, frame_height}
  void ReadVideos() {
    const std::size_t at = Offset(Field::kVideo);
    if (Pointer(at) == nullptr) {
      check_.ExpectZero(multimodal_, at, at + 72, "an absent video");
      return;
    }
    const std::size_t tokens = Size(at + 8);
    const std::size_t frames = Size(at + 16);
    const std::size_t count = Size(at + 24);
    if (tokens == 0 || frames == 0 || count == 0) {
      refused_ = "The n_video/n_frame_per_video/n_frame_tokens of multimodal_input is not set";
      return;
    }
    std::ostringstream extra;
    extra << " frames=" << frames << " size=" << Size(at + 56) << 'x' << Size(at + 64);
    Tags(at + 32, extra);
    Add("video", "<video>", Pointer(at), count, frames * tokens, extra.str());
  }

  // {embed, n_audio_tokens, n_audio, start, end, content}
  void ReadSounds() {
    const std::size_t at = Offset(Field::kAudio);
    if (Pointer(at) == nullptr) {
      check_.ExpectZero(multimodal_, at, at + 48, "an absent audio");
      return;
    }
    if (Size(at + 8) == 0 || Size(at + 16) == 0) {
      refused_ = "The n_audio/n_audio_tokens of multimodal_input is not set";
      return;
    }
    std::ostringstream extra;
    Tags(at + 24, extra);
    Add("audio", "<audio>", Pointer(at), Size(at + 16), Size(at + 8), extra.str());
  }

  void Tags(std::size_t offset, std::ostringstream& extra) {
    const char* const names[] = {"start", "end", "content"};
    for (std::size_t i = 0; i < 3; ++i) {
      const char* text = ReadAt<const char*>(multimodal_, offset + 8 * i);
      check_.Expect(text != nullptr, std::string("the text for the ") + names[i] + " is NULL");
      extra << ' ' << names[i] << '=' << Quoted(text);
    }
  }

  void Add(const std::string& name, const std::string& tag, const void* embed, std::size_t count, std::size_t tokens,
           const std::string& extra) {
    const std::size_t tags = Occurrences(arguments_.prompt, tag);
    check_.Expect(tags == count, "the prompt holds " + std::to_string(tags) + " of " + tag + ", the input " +
                                     std::to_string(count) + " of " + name);
    check_.Expect(count * tokens <= 1000000, name + " has " + std::to_string(count * tokens) + " tokens");
    check_.ExpectAligned(embed, 4);
    if (!check_.fine()) return;
    Media media{tag, count, tokens, "", {}};
    const auto dim = static_cast<std::size_t>(script_.embed_dim);
    for (std::size_t i = 0; i < count * tokens; ++i)
      media.content.push_back({-1, BytesHash(static_cast<const unsigned char*>(embed) + i * dim * 4, dim * 4)});
    std::ostringstream out;
    out << name << " count=" << count << " tokens=" << tokens << " first=" << ReadAt<float>(embed, 0)
        << " last=" << ReadAt<float>(embed, 4 * (count * tokens * dim - 1)) << extra;
    media.summary = out.str();
    arguments_.media.push_back(std::move(media));
  }

  const void* multimodal_;
  const Script& script_;
  InputArguments& arguments_;
  std::string refused_;  // as the vendor would
  Checker check_{"RKLLMMultiModalInput"};
};

}  // namespace

bool ReadMultimodal(const void* multimodal, const Script& script, InputArguments& arguments) {
  return MediaReader(multimodal, script, arguments).ReadAll();
}

}  // namespace fake
