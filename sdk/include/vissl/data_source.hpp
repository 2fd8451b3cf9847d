#pragma once
// Kind data_source: an immutable index that all workers share, and one reader per worker.
//
//   struct Folder {
//     explicit Folder(const Config& c);          // reads its config, nothing else
//     void open();                                // scans; missing data: fail(VISSL_E_DATA, …)
//     with the path std::int64_t length() const; const std::int64_t& label(std::int64_t i) const;
//     // optional; or const std::vector<std::int64_t>& (multi-label) std::string path(std::int64_t
//     i) const;            // optional; for messages std::int64_t class_count() const; // optional
//     std::string class_name(std::int64_t k) const;      // optional
//     struct Reader {                                     // left out when the source gives labels
//     only
//       explicit Reader(const Folder& source);
//       void read(std::int64_t i, Image& image);          // encoded bytes or pixels; an exception
//       = an unreadable sample
//     };
//   };
//   VISSL_DATA_SOURCE(Folder, "disk_folder", "Images in one folder per class.")
//
// After `open` all methods but the reader's are called from any thread at once, hence const.
#include <vissl/data_source.h>
#include <vissl/array.hpp>
#include <vissl/extensions.hpp>
#include <vissl/image.hpp>

namespace vissl {
inline namespace abi1 VISSL_HIDDEN {
namespace detail {

#define VISSL_DETECT(Name, expression) \
  template <class T, class = void>     \
  struct Name : std::false_type {};    \
  template <class T>                   \
  struct Name<T, std::void_t<decltype(expression)>> : std::true_type {}
VISSL_DETECT(HasOpen, std::declval<T&>().open());
VISSL_DETECT(HasLabel, std::declval<const T&>().label(std::int64_t{}));
VISSL_DETECT(HasPath, std::declval<const T&>().path(std::int64_t{}));
VISSL_DETECT(HasClassCount, std::declval<const T&>().class_count());
VISSL_DETECT(HasClassName, std::declval<const T&>().class_name(std::int64_t{}));
VISSL_DETECT(HasReader, std::declval<typename T::Reader&>());
#undef VISSL_DETECT

// Text that stays until this thread's next call.
template <class Text>
vissl_str keep_text(Text&& text) {
  if constexpr (std::is_lvalue_reference_v<Text>) {
    return str(text);
  } else {
    static thread_local std::string kept;
    kept = std::forward<Text>(text);
    return str(kept);
  }
}

template <class T>
struct DataSourceKind {
  static vissl_status open(void* instance, vissl_err* err) noexcept {
    return guarded(err, [&] {
      if constexpr (HasOpen<T>::value) static_cast<T*>(instance)->open();
    });
  }
  static std::int64_t length(void* instance) noexcept {
    return static_cast<const T*>(instance)->length();
  }
  static vissl_status label(void* instance, std::int64_t index, vissl_array* out,
                            vissl_err* err) noexcept {
    if constexpr (HasLabel<T>::value) {
      using Label = decltype(std::declval<const T&>().label(index));
      static_assert(std::is_lvalue_reference_v<Label> || std::is_same_v<Label, vissl_array>,
                    "label must return a reference to memory that lives as long as the source");
      return guarded(err, [&] {
        const T& source = *static_cast<const T*>(instance);
        if constexpr (std::is_same_v<Label, vissl_array>) {
          *out = source.label(index);
        } else if constexpr (std::is_arithmetic_v<std::decay_t<Label>>) {
          *out = scalar_view(source.label(index));
        } else {
          *out = array_view(source.label(index));
        }
      });
    } else {
      static_cast<void>(instance), static_cast<void>(index), static_cast<void>(out);
      return report(err, VISSL_E_UNSUPPORTED, "this source has no labels");
    }
  }
  static vissl_str path(void* instance, std::int64_t index) noexcept {
    if constexpr (HasPath<T>::value) {
      try {
        return keep_text(static_cast<const T*>(instance)->path(index));
      } catch (const std::exception&) {
        return str("(its path could not be told)");  // only memory can run out here
      }
    } else {
      static_cast<void>(instance), static_cast<void>(index);
      return vissl_str{nullptr, 0};
    }
  }
  static std::int64_t class_count(void* instance) noexcept {
    if constexpr (HasClassCount<T>::value) {
      return static_cast<const T*>(instance)->class_count();
    } else {
      static_cast<void>(instance);
      return 0;
    }
  }
  static vissl_str class_name(void* instance, std::int64_t k) noexcept {
    if constexpr (HasClassName<T>::value) {
      try {
        return keep_text(static_cast<const T*>(instance)->class_name(k));
      } catch (const std::exception&) {
        return vissl_str{nullptr, 0};  // no name
      }
    } else {
      static_cast<void>(instance), static_cast<void>(k);
      return vissl_str{nullptr, 0};
    }
  }
  static vissl_status reader_create(void* instance, void** reader, vissl_err* err) noexcept {
    return guarded(err, [&] {
      if constexpr (HasReader<T>::value) {
        *reader = new typename T::Reader(*static_cast<const T*>(instance));
      }
    });
  }
  static void reader_destroy(void* reader) noexcept {
    if constexpr (HasReader<T>::value) delete static_cast<typename T::Reader*>(reader);
    static_cast<void>(reader);
  }
  static vissl_status read(void* reader, std::int64_t index, vissl_image* handle,
                           vissl_err* err) noexcept {
    return guarded(err, [&] {
      Image image(handle);
      if constexpr (HasReader<T>::value)
        static_cast<typename T::Reader*>(reader)->read(index, image);
    });
  }
  static constexpr vissl_data_source_class kTable = {
      sizeof(vissl_data_source_class),
      &create<T>,
      &destroy<T>,
      &open,
      &length,
      &label,
      &path,
      &class_count,
      &class_name,
      HasReader<T>::value ? &reader_create : nullptr,
      HasReader<T>::value ? &reader_destroy : nullptr,
      HasReader<T>::value ? &read : nullptr};
};

}  // namespace detail
}  // namespace abi1
}  // namespace vissl

#define VISSL_DATA_SOURCE(Type, name, sentence)                                              \
  VISSL_COMPONENT(Type, VISSL_DATA_SOURCE_ID, ::vissl::detail::DataSourceKind<Type>::kTable, \
                  "data_source/" name "/" sentence)
