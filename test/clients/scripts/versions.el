;;; versions.el --- Print the versions of Emacs and of a package  -*- lexical-binding: t; -*-

(require 'package)
(package-initialize)
(let ((package (intern (car command-line-args-left))))
  (setq command-line-args-left nil)
  (princ (format "Emacs %s, %s %s" emacs-version package
                 (or (ignore-errors (package-version-join
                                     (package-desc-version (cadr (assq package package-alist)))))
                     "built in"))))

;;; versions.el ends here
