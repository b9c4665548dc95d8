// The file of a prompt cache (reference 3.11): the head that is known of the vendor's, without any tensors.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "words.h"

namespace fake {

bool SavePromptCache(const std::string& path, const std::vector<Token>& tokens);

// nullopt when the file cannot be read or is none.
std::optional<std::vector<Token>> LoadPromptCache(const std::string& path);

bool Readable(const std::string& path);

}  // namespace fake
