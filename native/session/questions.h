// What the runtime wants to know in the middle of a call. It waits in its callback until JavaScript has answered, or
// until nobody waits for the answer any more.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace rkllm {

class Run;

// Shared by the thread that asks and the JavaScript object that answers, which may live for much longer: the runtime's
// memory is written only while the question is open.
class Question {
 public:
  enum class Kind { kTokenize, kEmbed };
  enum class State { kOpen, kAnswered, kRefused, kBroken };

  // For at most `room` token ids.
  Question(std::string text, std::int32_t* ids, std::size_t room)
      : kind_(Kind::kTokenize), text_(std::move(text)), target_(ids), room_(room) {}
  // For exactly `room` floats.
  Question(std::vector<std::int32_t> token_ids, void* floats, std::size_t room)
      : kind_(Kind::kEmbed), token_ids_(std::move(token_ids)), target_(floats), room_(room) {}

  Kind kind() const { return kind_; }
  const std::string& text() const { return text_; }
  const std::vector<std::int32_t>& token_ids() const { return token_ids_; }
  std::size_t room() const { return room_; }

  // JavaScript thread. `count` token ids or floats, which fit. False when the question is over.
  bool Answer(const void* values, std::size_t count);
  // JavaScript thread. There is no answer. False when the question is over.
  bool Refuse() { return End(State::kRefused); }
  // Any thread. The answer is not waited for any more.
  void Break() { End(State::kBroken); }
  bool broken() const;

  // The thread that asks; it must hold no lock.
  State Wait();
  // After Wait(), of an answer.
  std::size_t count() const { return count_; }

 private:
  bool End(State state);

  const Kind kind_;
  const std::string text_;
  const std::vector<std::int32_t> token_ids_;
  void* const target_;  // the vendor's; guarded by mutex_
  const std::size_t room_;

  mutable std::mutex mutex_;
  std::condition_variable ended_;
  State state_ = State::kOpen;  // guarded by mutex_
  std::size_t count_ = 0;
};

// The open questions of one model. Its mutex may be held when taking a question's.
class Questions {
 public:
  // While it is asked. After Close() a question is broken at once.
  class Asking {
   public:
    // `run` is what it is asked for, if anything.
    Asking(Questions& all, std::shared_ptr<Question> question, const Run* run);
    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;
    ~Asking();

   private:
    Questions& all_;
    const std::shared_ptr<Question> question_;
  };

  // Any thread. Breaks what is asked for this run. Whether something was: its callback knows, or will.
  bool Break(const Run& run);
  // Any thread. Breaks everything, also what is asked later.
  void Close();

 private:
  struct Entry {
    std::shared_ptr<Question> question;
    const Run* run;
  };

  std::mutex mutex_;
  std::vector<Entry> open_;  // guarded by mutex_
  bool closed_ = false;      // guarded by mutex_
};

}  // namespace rkllm
