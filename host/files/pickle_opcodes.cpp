// What each opcode of a pickle does to the stack.
#include <bit>

#include "host/files/pickle_machine.hpp"
#include "host/files/pickle_text.hpp"

namespace vissl::host {

bool PickleMachine::step_constant(unsigned char opcode) {
  switch (opcode) {
    case 'N':
      push({});
      return true;
    case 0x88:
      push_integer(Kind::boolean, 1);
      return true;
    case 0x89:
      push_integer(Kind::boolean, 0);
      return true;
    case 'K':
      push_integer(Kind::integer, static_cast<std::int64_t>(number(1)));
      return true;
    case 'M':
      push_integer(Kind::integer, static_cast<std::int64_t>(number(2)));
      return true;
    case 'J':
      push_integer(Kind::integer, signed_number(4));
      return true;
    case 0x8a:
      push_long(number(1));
      return true;
    case 0x8b:
      push_long(number(4));
      return true;
    case 'G': {
      std::uint64_t bits = 0;
      for (const char c : take(8)) bits = (bits << 8) | static_cast<unsigned char>(c);
      PickleObject value;
      value.kind = Kind::real;
      value.real = std::bit_cast<double>(bits);
      push(std::move(value));
      return true;
    }
    case 'X':
      push_text(Kind::text, take(number(4)));
      return true;
    case 0x8c:
      push_text(Kind::text, take(number(1)));
      return true;
    case 0x8d:
      push_text(Kind::text, take(number(8)));
      return true;
    case 'T':
      push_text(Kind::bytes, take(number(4)));
      return true;
    case 'U':
      push_text(Kind::bytes, take(number(1)));
      return true;
    case 'B':
      push_text(Kind::bytes, take(number(4)));
      return true;
    case 'C':
      push_text(Kind::bytes, take(number(1)));
      return true;
    case 0x8e:
      push_text(Kind::bytes, take(number(8)));
      return true;
    case 0x96:
      push_text(Kind::bytes, take(number(8)));
      return true;
    default:
      return false;
  }
}

// The opcodes of protocol 0: values as lines of text.
bool PickleMachine::step_text(unsigned char opcode) {
  const auto rest = [this] { return line(std::string_view::npos); };
  switch (opcode) {
    case 'I':
    case 'L': {
      const std::string_view digits = rest();
      if (opcode == 'I' && (digits == "00" || digits == "01")) {
        push_integer(Kind::boolean, digits == "01" ? 1 : 0);
        return true;
      }
      const PickledNumber parsed = pickled_integer(digits);
      if (!parsed.is_valid) damaged("has an integer that is no number");
      if (parsed.fits) {
        push_integer(Kind::integer, parsed.value);
      } else {
        push_text(Kind::big_integer, digits);
      }
      return true;
    }
    case 'F': {
      PickleObject value;
      value.kind = Kind::real;
      if (!pickled_real(rest(), value.real)) damaged("has a float that is no number");
      push(std::move(value));
      return true;
    }
    case 'S': {
      std::string text;
      if (!pickled_string(rest(), text))
        damaged("has a string without its quotes or with a bad escape");
      push_text(Kind::bytes, keep(std::move(text)));
      return true;
    }
    case 'V': {
      std::string text;
      if (!pickled_unicode(rest(), text)) damaged("has a text with a bad escape");
      push_text(Kind::text, keep(std::move(text)));
      return true;
    }
    case 'p':
    case 'g': {
      const PickledNumber index = pickled_integer(rest());
      if (!index.is_valid || !index.fits || index.value < 0) damaged("has a bad memo number");
      if (opcode == 'p') {
        remember(static_cast<std::uint64_t>(index.value));
      } else {
        recall(static_cast<std::uint64_t>(index.value));
      }
      return true;
    }
    default:
      return false;
  }
}

bool PickleMachine::step_container(unsigned char opcode) {
  const auto push_empty = [this](Kind kind) {
    PickleObject value;
    value.kind = kind;
    push(std::move(value));
  };
  const auto push_group = [this](Kind kind) {
    PickleObject value;
    value.kind = kind;
    value.elements = pop_to_mark();
    push(std::move(value));
  };
  switch (opcode) {
    case '(':
      if (marks_.size() >= limits_.stack) damaged("needs too high a stack");
      marks_.push_back(stack_.size());
      return true;
    case '}':
      push_empty(Kind::dict);
      return true;
    case ']':
      push_empty(Kind::list);
      return true;
    case ')':
      push_empty(Kind::tuple);
      return true;
    case 0x8f:
      push_empty(Kind::set);
      return true;
    case 'd': {
      std::vector<PickleId> pairs = pop_to_mark();
      if (pairs.size() % 2 != 0) damaged("sets a key without a value");
      push_empty(Kind::dict);
      object(stack_.back()).pairs = std::move(pairs);
      return true;
    }
    case 't':
      push_group(Kind::tuple);
      return true;
    case 'l':
      push_group(Kind::list);
      return true;
    case 0x91:
      push_group(Kind::set);
      return true;
    case 0x85:
      push_tuple(1);
      return true;
    case 0x86:
      push_tuple(2);
      return true;
    case 0x87:
      push_tuple(3);
      return true;
    case 'a': {
      const PickleId value = pop();
      append({value});
      return true;
    }
    case 'e':
    case 0x90: {
      const std::vector<PickleId> values = pop_to_mark();
      append(values);
      return true;
    }
    case 's': {
      const PickleId value = pop();
      const PickleId key = pop();
      set_items({key, value});
      return true;
    }
    case 'u': {
      const std::vector<PickleId> values = pop_to_mark();
      set_items(values);
      return true;
    }
    case '0':
      pop();
      return true;
    case '1':
      pop_to_mark();
      return true;
    case '2': {
      const PickleId same = top();
      if (stack_.size() >= limits_.stack) damaged("needs too high a stack");
      stack_.push_back(same);
      return true;
    }
    default:
      return false;
  }
}

bool PickleMachine::step_memo(unsigned char opcode) {
  switch (opcode) {
    case 'q':
      remember(number(1));
      return true;
    case 'r':
      remember(number(4));
      return true;
    case 0x94:
      remember(memo_.size());
      return true;
    case 'h':
      recall(number(1));
      return true;
    case 'j':
      recall(number(4));
      return true;
    default:
      return false;
  }
}

bool PickleMachine::step_object(unsigned char opcode) {
  switch (opcode) {
    case 'c': {
      const std::string_view module = line(limits_.global_bytes);
      push_global(module, line(limits_.global_bytes));
      return true;
    }
    case 0x93: {
      const PickleId name = pop();
      const PickleId module = pop();
      if (object(name).kind != Kind::text || object(module).kind != Kind::text) {
        damaged("names a class by something that is no text");
      }
      const std::size_t size = object(name).text.size() + object(module).text.size();
      if (size > limits_.global_bytes) {
        damaged("names a class by " + std::to_string(size) + " bytes, more than the limit of " +
                std::to_string(limits_.global_bytes));
      }
      push_global(object(module).text, object(name).text);
      return true;
    }
    case 'i': {
      const std::string_view module = line(limits_.global_bytes);
      const std::string_view name = line(limits_.global_bytes);
      PickleObject args;
      args.kind = Kind::tuple;
      args.elements = pop_to_mark();
      const PickleId args_id = push(std::move(args));
      push_global(module, name);
      stack_.resize(stack_.size() - 2);
      call(args_id + 1, args_id);
      return true;
    }
    case 'o': {
      std::vector<PickleId> values = pop_to_mark();
      if (values.empty()) damaged("makes an object without a class");
      PickleObject args;
      args.kind = Kind::tuple;
      args.elements.assign(values.begin() + 1, values.end());
      const PickleId args_id = push(std::move(args));
      stack_.pop_back();
      call(values.front(), args_id);
      return true;
    }
    case 'R':
    case 0x81: {
      const PickleId args = pop();
      const PickleId callable = pop();
      call(callable, args);
      return true;
    }
    case 0x92: {
      const PickleId keywords = pop();
      const PickleId args = pop();
      const PickleId callable = pop();
      call(callable, args);
      object(stack_.back()).state = keywords;
      return true;
    }
    case 'b': {
      const PickleId state = pop();
      object(top()).state = state;
      return true;
    }
    case 'P': {
      push_text(Kind::text, line(limits_.global_bytes));
      PickleObject value;
      value.kind = Kind::persistent;
      value.args = pop();
      push(std::move(value));
      return true;
    }
    case 'Q': {
      PickleObject value;
      value.kind = Kind::persistent;
      value.args = pop();
      push(std::move(value));
      return true;
    }
    default:
      return false;
  }
}

}  // namespace vissl::host
